"""Cut-outs that keep their distance: `placement=scatter`."""
