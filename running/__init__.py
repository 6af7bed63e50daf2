"""What every service needs to run for months: back-off, faults logged once, park files watched, a clean end."""
