"""The ballot box 线上票箱: a service of its own that knows units and serials, and never which has which (docs/ballot-box.md)."""
