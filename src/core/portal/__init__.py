"""The building blocks of the portal's pages, which core and the modules fill: lists, panels, dialogs, cards."""
