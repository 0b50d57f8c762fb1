"""Makes datasets: the jobs, the loop over the steps of a sample, and the runners."""
