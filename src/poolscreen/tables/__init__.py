"""Tables: functions from screens and fits to data frames."""
