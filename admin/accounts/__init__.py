"""Staff accounts, API keys, sign-ins and the audit trail."""
