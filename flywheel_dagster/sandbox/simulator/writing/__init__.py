"""The words of simulated messages: templates as data, and how a framework, a tone and a reader make one message of them."""
