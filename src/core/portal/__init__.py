"""What the pages of the admin are made of: lists, panels, dialogs, cards. Core and the modules fill them."""
