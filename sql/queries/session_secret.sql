select secret from session_secret
