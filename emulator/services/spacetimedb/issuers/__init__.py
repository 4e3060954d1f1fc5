"""Foreign issuers: providers whose keys the server fetches, and the rules by which it reads and uses them."""
