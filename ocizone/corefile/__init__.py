"""The Corefile: text to frozen values. Pure: parsing never acts."""
