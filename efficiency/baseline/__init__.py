"""Expected use: fitted to stored days, frozen version by version, computed for each whole day since."""
