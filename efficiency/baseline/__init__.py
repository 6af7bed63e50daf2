"""What use should have been: fitted to stored days, frozen version by version, reckoned for each whole day since."""
