"""People of the centre: posts, teams, sign-in, agent states and the queues they belong to."""
