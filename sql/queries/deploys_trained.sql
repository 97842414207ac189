select deploys_trained from organizations where id = %(scope)s
