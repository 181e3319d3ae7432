"""Rules of fieldwork: visits and checks of the monitored categories."""
