"""Other mail servers, each with a configuration and a queue of its own."""
