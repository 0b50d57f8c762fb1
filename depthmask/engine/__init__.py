"""Making datasets: jobs, the loop over the stations of a sample, and runners."""
