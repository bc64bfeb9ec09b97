% SPDX-License-Identifier: GPL-3.0-or-later
% Runs the published channel generator unchanged and keeps the random numbers that it draws.
%
% octave --no-gui --path FOLDER record_published_paths.m OUT.mat
%
% FOLDER holds the generator's files (named in README.md beside this script); then
% python3 published_paths.py OUT.mat published_paths.npz
1;

% Command-line functions come before built-in ones and before files on the path, so that the generator calls these.
function u = rand(varargin)
  global record
  u = builtin("rand", varargin{:});
  if isnumeric(varargin{1})
    record(end + 1, :) = u(:);
  end
end

% Octave leaves unifrnd to a package; here its uniform number is recorded before it is scaled.
function x = unifrnd(low, high, shape)
  x = low + (high - low) * rand(shape(1), shape(2));
end

function [draws, channel] = run_generator(count, varargin)
  global record
  [n_antennas, n_subarrays, n_paths] = varargin{1:3};
  draws = zeros(count, 5, n_paths);
  channel = zeros(count, sqrt(n_antennas), sqrt(n_antennas));
  for k = 1:count
    record = zeros(0, n_paths);
    channel(k, :, :) = generate_hybrid_field_channel(varargin{:});
    draws(k, :, :) = record;
  end
end

builtin("rand", "twister", 20260301);
[draws, channel] = run_generator(40, 1024, 4, 5, 300e9, 30, 10, 25);
[near_draws, near_channel] = run_generator(16, 256, 4, 3, 300e9, 10, 4, 20);
octave = version();
save("-v7", argv(){end}, "draws", "channel", "near_draws", "near_channel", "octave");
