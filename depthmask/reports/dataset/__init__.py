"""The report about a dataset: an HTML page with gallery, figures and checks."""
