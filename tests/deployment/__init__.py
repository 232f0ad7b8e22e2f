"""What ships the service: locks, image, manifests."""
