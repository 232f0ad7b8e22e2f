"""What is only computed: one folder for each resource; none imports another."""
