"""The serving estimate: what a model on an accelerator does under load, and what that costs."""
