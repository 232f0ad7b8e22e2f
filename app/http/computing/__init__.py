"""Where and when requests are computed: the lanes, the queues in front of them, and what is refused there."""
