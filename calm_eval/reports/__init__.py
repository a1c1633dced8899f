"""Tables, plots and the page, made from one or more runs."""
