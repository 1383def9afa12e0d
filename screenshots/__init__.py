"""Pictures of the portal for the README and docs: `./just screenshots`."""
