"""What Excel means, where the calculator means something else."""
