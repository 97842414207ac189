"""The training-ready outcomes in the warehouse of whoever runs the flywheel, week by week. What trains on them reads the database instead."""
