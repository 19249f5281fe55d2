"""Derivatives: two walks over one list (`forward`, `reverse`), and the transforms made of them."""
