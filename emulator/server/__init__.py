"""From the socket to the services and back: what has an effect on the wire happens here and nowhere else."""
