-- Null when the request is let in, else the seconds until there is room.
select take_request(%(subject)s, %(most)s) as seconds
