"""What both sides of MQTT share: address, TLS, topics and the messages of the wire. Nothing here stores."""
