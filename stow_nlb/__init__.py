"""The STOW-RS service behind the network load balancer. Its container also runs nginx, in front of the service."""
