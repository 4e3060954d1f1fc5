"""HTTP as both real servers speak it (axum on hyper): requests, responses, routes. No API, no world, no socket."""
