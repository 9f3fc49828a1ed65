"""The STOW-RS service behind the network load balancer; its container also runs nginx in front of it."""
