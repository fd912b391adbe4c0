"""Letters, faxes, e-mails and texts of departments: registered with their receipt stamp, scanned, entered, filed."""
