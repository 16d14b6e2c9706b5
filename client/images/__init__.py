"""The Client's copies of uploaded images, which the shop shows also while Admin is down."""
