//! Who may import whom: the floors of the house.
