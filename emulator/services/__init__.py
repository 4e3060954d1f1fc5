"""The emulated APIs, one folder each. They import neither each other nor the world that contains their stores."""
