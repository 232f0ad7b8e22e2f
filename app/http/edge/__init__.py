"""The edge of the server: connections, heads, hosts, origins and bodies, before a request reaches the application."""
