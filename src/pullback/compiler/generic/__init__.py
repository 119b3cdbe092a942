"""Programs for sizes that were never lowered: their numbers follow from those of others."""
