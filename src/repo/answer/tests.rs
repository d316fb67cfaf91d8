//! What is read out of answers, before anything is known of the repository.
