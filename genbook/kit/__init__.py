"""What every chapter uses; knows no topic."""
