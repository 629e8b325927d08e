"""Labels and images in other programs' formats: read, checked, planned; written once confirmed."""
