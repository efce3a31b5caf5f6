"""What plugin authors test with: sessions in memory, on a clock that stands still."""
