"""The emulated APIs, a folder each. They don't know each other, nor the world they are part of."""
