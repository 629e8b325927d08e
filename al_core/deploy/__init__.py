"""What comes after the last round: a model to take along, and to use on new pictures. Torch-free."""
