"""What a policy would have earned, from messages that another sent: weighted estimates with intervals. Pure functions of arrays."""
