"""What an operator sees of the service: metrics, the id and the record of each request, and traces."""
