"""Statistics that several questions need."""
