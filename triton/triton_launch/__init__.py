"""Everything that surrounds the server: the models' files, and a tritonserver process."""
