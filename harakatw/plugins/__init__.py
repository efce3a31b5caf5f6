"""The bundled plugins: one file each, under the name that config/plugins uses."""
