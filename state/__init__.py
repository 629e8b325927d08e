"""What the browser side keeps: session state, caches, URLs, jobs and the HTTP routes."""
