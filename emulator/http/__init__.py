"""HTTP as both real servers implement it (axum on hyper): requests, responses, routes. No API, no world, no socket."""
